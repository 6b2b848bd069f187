// Pages opened from the disk (file:) may start no Worker. There the search runs in a hidden frame that behaves like one.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.waiting = [];
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      this.frame.srcdoc = `<script>self.postMessage = (data) => self.answer(data)</scr` + `ipt>`;
      this.frame.addEventListener("load", () => this.start(url), {once: true});
      document.body.append(this.frame);
    }
    start(url) {
      const inner = this.frame.contentWindow, script = inner.document.createElement("script");
      inner.answer = (data) => this.dispatchEvent(new MessageEvent("message", {data}));
      script.addEventListener("load", () => {
        this.inner = inner;
        this.waiting.splice(0).forEach((data) => this.postMessage(data));
      });
      script.src = new URL(url, document.baseURI).href;
      inner.document.body.append(script);
    }
    postMessage(data) {
      if (this.inner) this.inner.dispatchEvent(new this.inner.MessageEvent("message", {data}));
      else this.waiting.push(data);
    }
    terminate() { this.frame.remove(); }
  };
}
