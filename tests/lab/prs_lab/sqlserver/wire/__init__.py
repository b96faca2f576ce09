"""TDS: what goes over the wire (`items`), how it is written (`tds`, `types`), and who answers (`server`)."""
