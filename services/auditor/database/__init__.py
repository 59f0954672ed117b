"""The audit database as a whole: made and upgraded, described as a page, opened to people of compliance."""
