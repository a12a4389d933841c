"""Questions asked of stored runs. No torch: looking at finished runs is instant, on any machine."""
