"""Each artifact's format, defined once: schema, reader, writer, version."""
