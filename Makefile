# What CI runs is what a person runs. `make run` serves on localhost; `make test` passes all tests.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

TARGET := $(CURDIR)/target
TRIPLE := $(shell rustc -vV 2>/dev/null | sed -n 's/^host: //p')
DATA   ?= $(CURDIR)/.boatyard
LISTEN ?= 127.0.0.1:8000

.PHONY: help run build test lint bench fmt web agent debug images image catalogue images-debug root

help: ## List what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile

run: root ## Install what is missing, build, prepare images, and serve on localhost
	@deploy/packages.sh run
	@$(MAKE) --no-print-directory build image catalogue
	@nice -n 19 $(TARGET)/release/boatyard --data $(DATA) image build minimal alternatives >$(DATA)/images.log 2>&1 & \
	exec $(TARGET)/release/boatyard --data $(DATA) serve --courses $(CURDIR)/courses --listen $(LISTEN)

root:
	@[ "$$(id -u)" = 0 ] || { echo "boatyard: making sandboxes needs root; run: sudo make $(MAKECMDGOALS)" >&2; exit 1; }
	@command -v cargo >/dev/null || { echo "boatyard: there is no cargo; install Rust 1.95 or later (rustup)" >&2; exit 1; }
	@command -v npm >/dev/null || { echo "boatyard: there is no npm; install Node.js 20 or later" >&2; exit 1; }

build: web agent ## Build server, agent and front end
	@cargo build -q --release --bin boatyard

images: image catalogue ## Build all lab images and the catalogue, what is missing or changed of them
	@$(TARGET)/release/boatyard --data $(DATA) image build minimal alternatives

image:
	@$(TARGET)/release/boatyard --data $(DATA) image build

catalogue:
	@$(TARGET)/release/boatyard --data $(DATA) catalogue build

web: web/dist/manifest.json

web/node_modules/.package-lock.json: web/package-lock.json
	@echo "Installing the front end's packages"
	@cd web && npm ci --no-audit --no-fund --silent

web/dist/manifest.json: web/node_modules/.package-lock.json web/build.mjs web/sdk/build.mjs $(shell find web/src web/sdk/src -type f 2>/dev/null)
	@cd web && npm run --silent build

# A static binary: it runs in any Linux root file system.
agent:
	@RUSTFLAGS="-C target-feature=+crt-static" cargo build -q -p boatyard-agent --profile agent --target $(TRIPLE)
	@mkdir -p $(TARGET)/debug $(TARGET)/release
	@for d in $(TARGET) $(TARGET)/debug $(TARGET)/release; do \
		cmp -s $(TARGET)/$(TRIPLE)/agent/boatyard-agent $$d/boatyard-agent || \
		install -m 755 $(TARGET)/$(TRIPLE)/agent/boatyard-agent $$d/boatyard-agent; done

debug: web agent
	@cargo build -q --bin boatyard

images-debug: debug
	@$(TARGET)/debug/boatyard --data $(DATA) image build default minimal alternatives
	@$(TARGET)/debug/boatyard --data $(DATA) catalogue build

lint: web ## Formatting, clippy, TypeScript types, licences and advisories
	cargo fmt --all --check
	cargo clippy -q --workspace --all-targets -- -D warnings
	cd web && npm run --silent check
	@command -v cargo-deny >/dev/null || cargo install -q --locked cargo-deny || true
	@if command -v cargo-deny >/dev/null; then cargo deny --log-level error check bans licenses sources; \
	else echo "cargo-deny could not be installed: licences were not checked"; fi

test: root ## Everything that CI checks
	@deploy/packages.sh test
	@$(MAKE) --no-print-directory lint images-debug
	cargo test -q --workspace
	cd web && npm test --silent
	cd web && npm run --silent e2e

bench: root build image catalogue ## Print the figures as a table, and write them to target/
	cargo bench -q --bench figures
	cargo bench -q --bench ports

fmt: ## Format the code
	cargo fmt --all
