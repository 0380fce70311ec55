"""From a loaded model to a graph that answers the same, chosen by proof."""
