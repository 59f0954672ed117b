"""What a rebuild and a verification share: both fill an audit schema from the log again."""
