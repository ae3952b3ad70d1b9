"""What can be typed: names, options, help and examples. The work is done one floor up."""
