"""The ingestor: fetches disclosures and reference data, run by run, and delivers each run whole or not at all."""
