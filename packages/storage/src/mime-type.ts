import type { fileTypeFromBuffer as FileTypeFromBuffer } from 'file-type';
import type Mime from 'mime';

/** How much of a file is looked at to tell its type. */
export const MIME_SAMPLE_SIZE_BYTES: number = 64 * 1024;

const DEFAULT_MIME_TYPE = 'application/octet-stream';

// Containers of many formats: the name then says more than the content does (.docx, .epub, .apk, .odt, .svg, .opus, .msi).
const CONTAINERS = new Set([
  'application/zip',
  'application/xml',
  'application/x-cfb',
  'audio/ogg',
  'video/ogg',
]);

/**
 * MIME type by content (the first 64 KiB), then by name, else `application/octet-stream`. A container that many formats
 * share counts as known only when the name knows nothing better.
 */
export async function detectMimeType(head: Uint8Array, name: string): Promise<string> {
  const byContent = await typeOfContent(head.subarray(0, MIME_SAMPLE_SIZE_BYTES));
  if (byContent !== undefined && !CONTAINERS.has(byContent)) return byContent;
  const { mime } = await loadTypes();
  // A name without a dot is no extension, though mime takes it for one.
  const byName = name.lastIndexOf('.') > 0 ? mime.getType(name) : null;
  // IANA knows .ts and .mts as MPEG transport streams only; those are known by their content, so this is a program's source.
  return byName === 'video/mp2t' ? 'text/plain' : (byName ?? byContent ?? DEFAULT_MIME_TYPE);
}

/** What names of this type end in: `.pdf`; `''` when nothing is usual. */
export async function usualExtension(mimeType: string): Promise<string> {
  const extension = (await loadTypes()).mime.getExtension(mimeType);
  return extension === null || mimeType === DEFAULT_MIME_TYPE ? '' : `.${extension}`;
}

async function typeOfContent(head: Uint8Array): Promise<string | undefined> {
  if (head.length === 0) return undefined;
  const { fileTypeFromBuffer } = await loadTypes();
  try {
    return (await fileTypeFromBuffer(head))?.mime;
  } catch {
    // A header that promises more than the sample holds: the name has to do.
    return undefined;
  }
}

interface Types {
  readonly fileTypeFromBuffer: typeof FileTypeFromBuffer;
  readonly mime: typeof Mime;
}

let types: Types | undefined;

/** Loaded at the first use: a command that stores nothing should not pay for the tables. Kept, because `import` costs something each time. */
async function loadTypes(): Promise<Types> {
  if (types !== undefined) return types;
  const [{ fileTypeFromBuffer }, { default: mime }] = await Promise.all([
    import('file-type'),
    import('mime'),
  ]);
  types = { fileTypeFromBuffer, mime };
  return types;
}
