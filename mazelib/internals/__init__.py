"""What a trained model's weights and activations hold, and where."""
