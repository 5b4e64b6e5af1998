/** Every chunk of a file but the last has this size; it is the size of a sealed file's segment too. */
export const CHUNK_SIZE_BYTES: number = 256 * 1024;

/** 16 TiB. */
export const MAX_FILE_SIZE_BYTES: number = 2 ** 44;

export const MAX_CHUNK_COUNT: number = MAX_FILE_SIZE_BYTES / CHUNK_SIZE_BYTES;

/** Of a relative path in UTF-8, separators included. */
export const MAX_PATH_SIZE_BYTES = 1024;

/** Names in a relative path, the file's own among them. */
export const MAX_PATH_DEPTH = 32;

/** In characters, all of them ASCII, parameters included. */
export const MAX_MIME_TYPE_LENGTH = 255;
