/** Bounds of histograms for what somebody waits for, in seconds. */
export const WAITS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
