/** In the header of SQLite's file, in the first page: https://sqlite.org/fileformat.html#the_database_header */
const PAGE_COUNT_OFFSET = 28;
const SCHEMA_COOKIE_OFFSET = 40;
const USER_VERSION_OFFSET = 60;
const APPLICATION_ID_OFFSET = 68;

/** What the first page says of the database. */
export interface FileHeader {
  readonly pageCount: number;
  readonly schemaVersion: number;
  /** Raised with every change of the schema, and in a copy by `VACUUM INTO`. */
  readonly schemaCookie: number;
  readonly commitCount: number;
}

/** Of the first page, in clear. */
export function parseFileHeader(page: Buffer): FileHeader {
  return {
    pageCount: page.readUInt32BE(PAGE_COUNT_OFFSET),
    schemaVersion: page.readUInt32BE(USER_VERSION_OFFSET),
    schemaCookie: page.readUInt32BE(SCHEMA_COOKIE_OFFSET),
    commitCount: Math.max(0, page.readInt32BE(APPLICATION_ID_OFFSET)),
  };
}
