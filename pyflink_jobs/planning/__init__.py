"""From SQL files to a checked plan: tokens, ML_PREDICT, the catalog, the contract."""
