// A DNA and no app: drones are another user.
export default { app: "./http-esm.mjs", membrane: { user: "nobody" } };
