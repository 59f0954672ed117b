"""The edge to Alpaca: requests and answers, in time, at the account's pace, on lanes of their own. Knows no log."""
