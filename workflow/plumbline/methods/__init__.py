"""The papers' methods: small, pure modules that write requests, judge and build training files."""
