;; SPDX-License-Identifier: MIT
;; Emacs's dap-mode behind --batch: attach, a breakpoint, its frame, a call, disconnect. TAP on standard output.
;; Environment: DEBUGCALL, TARGET, SOURCE, LINE.
(setq dap-exception-breakpoints nil dap-auto-configure-features nil
      make-backup-files nil)
(package-initialize)
(require 'dap-mode)

(defvar count 0)
(defvar failures 0)

(defun report (good title)
  (setq count (1+ count))
  (unless good (setq failures (1+ failures)))
  (princ (format "%s %d - %s\n" (if good "ok" "not ok") count title)))

(defun await (condition)
  "Runs what comes in until CONDITION holds, or for a minute."
  (let ((end (+ (float-time) 60)) result)
    (while (and (not (setq result (funcall condition))) (< (float-time) end))
      (accept-process-output nil 0.05))
    result))

(defvar target (make-process :name "target" :command (list (getenv "TARGET")) :buffer "target"
                             :connection-type 'pipe))
(defun written (text)
  (with-current-buffer "target" (save-excursion (goto-char (point-min)) (search-forward text nil t))))
(await (lambda () (written "ready")))

(dap-register-debug-provider
 "debugcall" (lambda (conf) (plist-put conf :dap-server-path (list (getenv "DEBUGCALL") "dap"))))
(find-file (getenv "SOURCE"))
(forward-line (1- (string-to-number (getenv "LINE"))))
(dap-breakpoint-add)
(dap-debug (list :type "debugcall" :request "attach" :name "attach" :pid (process-id target)))

(defun session () (dap--cur-session))
(report (await (lambda () (and (session) (eq 'running (dap--debug-session-state (session)))))) "attaches")
(process-send-string target "x")
(report (await (lambda () (and (session) (dap--debug-session-active-frame (session)))))
        "stops at the breakpoint, with a frame")
(report (equal (gethash "name" (dap--debug-session-active-frame (session))) "wait_here") "the frame has its name")

(defvar answer nil)
(dap--send-message
 (dap--make-request "evaluate" (list :expression "add(depth, 41)" :context "repl"
                                     :frameId (gethash "id" (dap--debug-session-active-frame (session)))))
 (lambda (message) (setq answer message)) (session))
(report (and (await (lambda () answer)) (equal (gethash "result" (gethash "body" answer)) "42")) "calls in the frame")

(dap-disconnect (session))
(report (await (lambda () (written "ready\nx"))) "the program runs on when it has disconnected")
(delete-process target)
(princ (format "1..%d\n" count))
(kill-emacs (if (zerop failures) 0 1))
