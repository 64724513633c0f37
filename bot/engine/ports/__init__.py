"""What the engine needs from the world, one module a world. Adapters implement it."""
