/** Examines what a crash has left, in a process of its own. Its argument is JSON; what is wrong comes on stderr. */
import { inspectHere } from './inspect.ts';
import type { InspectOptions } from './inspect.ts';
import { messageOf } from './matrix.ts';
import { haveLaterMigrations } from './operations/later-migrations.ts';
import { operationOf } from './operations/table.ts';
import { Stage } from './stage.ts';

interface Request {
  readonly operation: string;
  readonly disk: string;
  readonly shelf: string;
  readonly said: readonly string[];
  readonly options: InspectOptions;
}

const request = JSON.parse(process.argv[2] ?? '') as Request;
const operation = operationOf(request.operation);
haveLaterMigrations(operation);
try {
  await inspectHere(
    operation,
    new Stage(request.disk, request.shelf),
    new Set(request.said),
    request.options,
  );
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}
