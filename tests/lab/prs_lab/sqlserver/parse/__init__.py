"""T-SQL text to statements (`ir`) by a recogniser written by hand (`parser`)."""
