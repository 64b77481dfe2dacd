"""The whole decide(): schema, model, routing, and the durable transaction."""
