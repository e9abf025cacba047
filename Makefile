# Martlet. `make cluster` and `make test` are all one needs; both work on a clean machine and from any state.

SWIFT ?= swift
BUILD := .build/release
MEMBERS ?= 3

.PHONY: help cluster stop test test-quick build bench docs clean

help:
	@sed -n 's/^## //p' Makefile

## make cluster     build, start a cluster of three on this machine, say how to talk to it
cluster: build
	$(BUILD)/martlet cluster run --members $(MEMBERS) --detach

## make stop        stop that cluster
stop:
	$(BUILD)/martlet cluster stop

## make test        everything: unit, model, crash, simulation and end-to-end tests, conformance suites
test:
	tools/test all

## make test-quick  what needs no server, in under three minutes
test-quick:
	tools/test quick

## make build       the martlet command, optimised
build:
	tools/prepare run
	$(SWIFT) build -c release --product martlet

## make bench       the figures of docs/performance.md
bench:
	tools/prepare bench
	tools/bench

## make docs        the pages that are made from the code
docs: build
	tools/docs

clean:
	rm -rf .build run
