"""The configuration, one module per section; `experiment.config` combines them."""
