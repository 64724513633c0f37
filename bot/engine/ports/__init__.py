"""What the engine needs from outside: one module per service. Adapters implement them."""
