/** node:cluster as its documentation has it, with a new worker for each that ends. */
import cluster from "node:cluster";

if (cluster.isPrimary) {
  for (let i = 0; i < Number(process.env.WORKERS); i += 1) cluster.fork();
  cluster.on("exit", () => cluster.fork());
  process.on("SIGTERM", () => process.exit(0));
} else {
  await import(process.env.APP_FILE);
}
