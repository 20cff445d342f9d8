"""Mixed load for minutes while routes change, workers are killed and targets restart: ``make soak MINUTES=10``."""
