"""A simulated Alpaca: one account, real buying power, fills from daily prices by a fixed rule.

Started by ``python -m simulators.alpaca``. What it does and what it leaves out: docs/simulators-alpaca.md.
"""
