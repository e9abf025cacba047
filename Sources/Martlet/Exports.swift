// What a program that embeds the database needs beside this module: values and ids, transactions, event handlers.
@_exported public import enum Cypher.Dialect
@_exported public import Database
@_exported public import GraphModel
@_exported public import struct LuceneQuery.FuzzyTerm
@_exported public import enum LuceneQuery.IndexQuery
@_exported public import struct LuceneQuery.WildcardPattern
@_exported public import struct QueryEngine.QueryStatistics
@_exported public import Storage
@_exported public import Traversal
