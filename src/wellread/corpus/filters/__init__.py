"""One module, one FILTER: a cheap reason to leave a document out."""
