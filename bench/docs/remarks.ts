/** What is said about each benchmark. No figure is written here: they come from the results. */
export const REMARKS: Readonly<Record<string, string>> = {
  'seal-1g': '',
};
