"""Mechanisms without business words: settings, clock, database, crypto, queue, embedded servers."""
