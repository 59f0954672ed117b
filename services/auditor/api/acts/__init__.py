"""Acts of operators over HTTP, put into the log as the commands put them."""
