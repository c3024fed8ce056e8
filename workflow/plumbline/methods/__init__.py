"""The papers' methods: small, pure programs that write requests, judge and build training files."""
