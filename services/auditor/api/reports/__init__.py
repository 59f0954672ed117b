"""Reports over HTTP: their questions, their answers in each form, and the record of who read them."""
