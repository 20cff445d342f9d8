"""What makes requests: wrk, h2load and hey from Debian; small clients of ours for what they can't do."""
