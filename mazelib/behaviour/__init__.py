"""What a model does: rollouts, metrics of them, and solvers to compare with."""
