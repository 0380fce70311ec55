// Says on top of a view that its kernel has ended, or cannot be reached.
const ENDINGS = new Set(["restarting", "autorestarting", "terminating", "dead"]);

// Whether somebody is there to be asked. A kernel that was started anew knows nothing of this view: once ended is ended.
function watchKernel(model, ended, away, changed) {
  const kernel = model.widget_manager && model.widget_manager.kernel;
  const node = h("div", { class: "wb-gone", role: "alert" });
  let hasEnded = false;
  const look = () => {
    hasEnded = hasEnded || kernel.isDisposed || ENDINGS.has(kernel.status);
    const fault = hasEnded ? ended : kernel.connectionStatus === "connected" ? "" : away;
    if (node.textContent === fault) return;
    node.textContent = fault;
    changed();
  };
  const signals = kernel ? [kernel.statusChanged, kernel.connectionStatusChanged, kernel.disposed] : [];
  signals.forEach((signal) => signal.connect(look));
  return { node, hasEnded: () => hasEnded, dispose: () => signals.forEach((signal) => signal.disconnect(look)) };
}
