"""What vendors' rows say: records with an identity and flags, committee seats, company sectors. Pure."""
