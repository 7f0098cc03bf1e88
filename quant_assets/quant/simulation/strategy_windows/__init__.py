"""Strategies window by window: the backtester's runs cut into cells, with what is carried on."""
