"""What is read across packages: the home pages, the search of everything, the platform's lists."""
