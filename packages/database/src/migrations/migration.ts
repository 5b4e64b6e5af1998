/** One step of the schema's history. Its SQL is frozen once it was released. */
export interface Migration {
  /** The `user_version` that the database has afterwards; versions are 1, 2, 3 without a gap. */
  readonly version: number;
  readonly sql: string;
}
