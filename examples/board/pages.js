/** The pages, as whole documents. They work without JavaScript; public/live.js only adds what is posted meanwhile. */
import { html } from "./html.js";
import { limits, postsPerThreadMax } from "./input.js";
import { imageBytesMax } from "./store.js";

export function listPage({ threads, page, more }) {
  return layout({
    title: page === 1 ? "Board" : `Board, page ${page}`,
    // Only the first page follows what is new; further back, rows that jump would be in the way.
    live: page === 1 ? { last: threads[0]?.lastPostId ?? 0 } : undefined,
    main: html`
      <div class="head">
        <h1>What people talk about</h1>
        <a class="button" href="/new">New thread</a>
      </div>
      <p class="fresh" data-fresh hidden><a href="/">There is something new</a></p>
      ${threads.length === 0 ? html`<p class="empty">Nothing here yet.</p>` : ""}
      <ul class="threads">
        ${threads.map(
          (thread) => html`
            <li>
              <a href="/threads/${thread.id}">${thread.title}</a>
              <span class="meta">
                ${thread.author} · ${replies(thread.postCount - 1)} ·
                ${thread.postCount > 1 ? `${thread.lastAuthor}, ` : ""}${time(thread.lastAt)}
              </span>
            </li>
          `,
        )}
      </ul>
      <nav class="pager">
        ${page > 1 ? html`<a href="/?page=${page - 1}">← Newer</a>` : html`<span></span>`}
        ${more ? html`<a href="/?page=${page + 1}">Older →</a>` : ""}
      </nav>
    `,
  });
}

export function threadPage({ thread, posts, values, errors }) {
  return layout({
    title: thread.title,
    live: { thread: thread.id, last: thread.lastPostId },
    main: html`
      <p class="back"><a href="/">← All threads</a></p>
      <h1>${thread.title}</h1>
      <div data-posts>${posts.map(postArticle)}</div>
      ${
        posts.length >= postsPerThreadMax
          ? html`<p class="empty">This thread is full. <a href="/new">Start another</a>?</p>`
          : form({ action: `/threads/${thread.id}/posts`, legend: "Reply", submit: "Post reply", values, errors })
      }
    `,
  });
}

export function newThreadPage({ values, errors } = {}) {
  return layout({
    title: "New thread",
    main: html`
      <p class="back"><a href="/">← All threads</a></p>
      <h1>New thread</h1>
      ${form({ action: "/threads", titled: true, submit: "Start thread", values, errors })}
    `,
  });
}

export function errorPage({ status, message }) {
  return layout({
    title: String(status),
    main: html`
      <h1>${status}</h1>
      <p>${message}</p>
      <p><a href="/">To the board</a></p>
    `,
  });
}

/** One post; the same markup in the page and in what live updates carry. */
export function postArticle(post) {
  return html`
    <article class="post" id="post-${post.id}" data-id="${post.id}">
      <header><b>${post.author}</b> <a class="meta" href="#post-${post.id}">${time(post.createdAt)}</a></header>
      ${post.body.split(/\n{2,}/).map((paragraph) => html`<p>${paragraph}</p>`)}
      ${post.image && html`<a href="/images/${post.image}"><img src="/images/${post.image}" alt="Picture by ${post.author}" loading="lazy" /></a>`}
    </article>
  `;
}

export function layout({ title, main, live }) {
  return String(
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <title>${title} · Linden Street</title>
          <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
          <link rel="stylesheet" href="/style.css" />
          ${live && html`<script src="/live.js" defer></script>`}
        </head>
        <body ${live && html`data-last="${live.last}" data-thread="${live.thread ?? ""}"`}>
          <header class="site">
            <a href="/" class="name"><img src="/favicon.svg" alt="" width="28" height="28" /> Linden Street</a>
            <span class="status" data-status hidden></span>
          </header>
          <main>${main}</main>
          <footer>
            A community board. <a href="/api/threads">JSON</a> · <a href="/health">Health</a> · <a href="/lab">Lab</a>
          </footer>
        </body>
      </html>`,
  );
}

function form({ action, legend, titled, submit, values = {}, errors = {} }) {
  const field = (name, label, control) => html`
    <div class="field">
      <label for="${name}">${label}</label>
      ${control} ${errors[name] && html`<p class="error" id="${name}-error">${errors[name]}</p>`}
    </div>
  `;
  const invalid = (name) => errors[name] && html`aria-invalid="true" aria-describedby="${name}-error"`;
  // No `required`: what is missing is said by the server, the same with and without JavaScript.
  return html`
    <form class="card" action="${action}" method="post" enctype="multipart/form-data" novalidate>
      ${legend && html`<h2>${legend}</h2>`}
      ${Object.keys(errors).length > 0 && html`<p class="error" role="alert">Not posted yet: please look at the marked fields.</p>`}
      ${field("author", "Your name", html`<input id="author" name="author" autocomplete="nickname" maxlength="${limits.author}" value="${values.author}" ${invalid("author")} />`)}
      ${titled && field("title", "Title", html`<input id="title" name="title" autocomplete="off" maxlength="${limits.title}" value="${values.title}" ${invalid("title")} />`)}
      ${field("body", "Text", html`<textarea id="body" name="body" rows="5" ${invalid("body")}>${values.body}</textarea>`)}
      ${field("image", `Picture (optional, at most ${imageBytesMax / 1024 / 1024} MB)`, html`<input id="image" name="image" type="file" accept="image/png,image/jpeg,image/gif,image/webp" ${invalid("image")} />`)}
      <button>${submit}</button>
    </form>
  `;
}

function replies(count) {
  return count === 0 ? "no replies" : count === 1 ? "1 reply" : `${count} replies`;
}

const timeFormat = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  timeZone: "UTC",
  timeZoneName: "short",
});

function time(milliseconds) {
  return html`<time datetime="${new Date(milliseconds).toISOString()}">${timeFormat.format(milliseconds)}</time>`;
}
