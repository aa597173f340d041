"""How far apart two right sides may lie: running error analysis along what each side computes."""
