"""What Prometheus scrapes: read from the journal and the inventory at each scrape, so that a restart loses nothing."""
