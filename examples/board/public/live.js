/** Adds posts as they are written elsewhere. The page is whole without it. */
const { thread, last } = document.body.dataset;
const posts = document.querySelector("[data-posts]");
const fresh = document.querySelector("[data-fresh]");
const status = document.querySelector("[data-status]");
const retryMsMin = 500;
const retryMsMax = 15_000;
let since = Number(last);
let retryMs = retryMsMin;

function connect() {
  const url = new URL("/live", location.href);
  url.protocol = location.protocol.replace("http", "ws");
  url.searchParams.set("since", String(since));
  if (thread) url.searchParams.set("thread", thread);

  const socket = new WebSocket(url);
  socket.addEventListener("open", () => {
    retryMs = retryMsMin;
    show("live", "live");
  });
  socket.addEventListener("message", (event) => take(JSON.parse(event.data)));
  socket.addEventListener("close", () => {
    show("waiting", "connecting again");
    setTimeout(connect, retryMs * (0.5 + Math.random()));
    retryMs = Math.min(retryMs * 2, retryMsMax);
  });
}

function take(message) {
  if (message.type === "reload") return location.reload();
  since = Math.max(since, message.id);
  if (fresh) return announce(message);
  if (posts && !document.getElementById(`post-${message.id}`)) {
    posts.insertAdjacentHTML("beforeend", message.html);
    posts.lastElementChild.classList.add("arrived");
  }
}

function announce({ author, title }) {
  fresh.hidden = false;
  fresh.querySelector("a").textContent = `New: ${author} in “${title}”`;
}

function show(state, text) {
  status.hidden = false;
  status.dataset.status = state;
  status.textContent = text;
}

connect();
