// What a program that embeds the database needs beside this module: values and ids, transactions, event handlers.
@_exported public import enum Cypher.Dialect
@_exported public import Database
@_exported public import GraphModel
@_exported public import LuceneQuery
@_exported public import struct QueryEngine.QueryStatistics
@_exported public import Storage
