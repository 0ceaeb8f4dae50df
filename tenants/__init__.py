"""The business of Broadloom: decides everything, knows no web, packets or queues."""
