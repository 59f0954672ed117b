"""What the container test needs: the engine's command line, stand-ins for foreign images, the walk inside."""
