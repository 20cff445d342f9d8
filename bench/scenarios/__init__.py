"""What is measured, one file for each kind: throughput, latency, memory, routes, workers."""
