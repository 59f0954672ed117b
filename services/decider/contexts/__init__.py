"""The market and the account: read from Alpaca, recorded, waited for."""
