"""What runs during a benchmark: the proxies that are compared, and the servers behind them."""
