;;; server-tests.el --- The server of a project, seen from Emacs  -*- lexical-binding: t; -*-

;;; Code:

(require 'editor)

(ert-deftest server-is-not-started-where-nobody-can-be-asked ()
  (editor-with-place place
    (countersign-client-stop editor-connection)
    (should noninteractive)
    (find-file (support-write place "notes.txt" "first\n"))
    (should-not (countersign-client-all))
    (should (equal (countersign--project-root)
                   (support-place-workspace place)))
    (kill-buffer)))

(ert-deftest server-ends-when-nobody-can-be-asked-any-more ()
  (editor-with-place place
    (let ((hook (support-command place "touch made-by-the-agent")))
      (editor-asked)
      ;; A batch Emacs has no frame that somebody sees.
      (run-hook-with-args 'after-delete-frame-functions (selected-frame))
      (should-not (countersign-client-all))
      (should-not (countersign-prompt-open))
      (should-not (equal (support-decision (support-outcome hook)) "allow")))))

(defun server-tests--mark ()
  "What the mode line ends with: a mark, where something is to be said."
  (if (equal "ok" (plist-get (countersign-client-status editor-connection)
                             :health))
      "" "!"))

(ert-deftest server-says-how-it-does-in-the-mode-line ()
  (editor-with-place place
    (should (equal (editor-mode-line)
                   (concat " CS:default" (server-tests--mark))))
    (let ((hook (support-command place "touch made-by-the-agent")))
      (editor-asked)
      (editor-status "a session that waits"
                     (lambda (status)
                       (and (eql (plist-get status :pending) 1)
                            (not (seq-empty-p (plist-get status :sessions))))))
      (should (equal (editor-mode-line)
                     (concat " CS:default[1] 0/3 0/20" (server-tests--mark))))
      (countersign-status)
      (with-current-buffer "*Countersign status*"
        (dolist (part '("not trusted (M-x countersign-trust)" "1 waiting"
                        "0 of 3 blocks in a row"))
          (should (string-search part (buffer-string)))))
      (editor-go)
      (editor-press "d")
      (support-blocks hook))))

(ert-deftest server-that-is-killed-takes-its-questions-along-and-comes-back ()
  (editor-with-place place
    (let* ((hook (support-command place "touch made-by-the-agent"))
           (first editor-connection))
      (editor-asked)
      (signal-process (jsonrpc--process first) 'KILL)
      (editor-idle)
      ;; Whoever asked is not told yes.
      (should-not (equal (support-decision (support-outcome hook)) "allow"))
      (should-not (countersign-prompt-open))
      (support-until "another server"
                     (lambda ()
                       (let ((now (countersign-client-of
                                   (support-place-workspace place))))
                         (and now (not (eq now first))
                              (setq editor-connection now)))))
      (editor-served place)
      (let ((again (support-command place "touch another")))
        (editor-asked "touch another")
        (editor-reads)
        (editor-press "a")
        (support-allows again)))))

(ert-deftest server-that-ends-again-and-again-is-left-alone ()
  (editor-with-place place
    (let ((countersign-program "false")
          (root (support-place-workspace place))
          (ends 0))
      (let ((countersign-client-notified-functions
             (list (lambda (_ method _)
                     (when (eq method 'countersign/ended) (cl-incf ends))))))
        (signal-process (jsonrpc--process editor-connection) 'KILL)
        (support-until "the last try"
                       (lambda ()
                         (and (= ends (1+ countersign-client--restarts))
                              (null (countersign-client-of root)))))
        (should (equal (substring-no-properties (countersign--lighter nil))
                       " CS:off"))))))

(ert-deftest server-changes-the-mode-only-after-the-person-confirmed ()
  (editor-with-place place
    (let (first)
      (cl-flet ((mode-is (mode)
                  (editor-status mode (lambda (status)
                                        (equal (plist-get status :mode) mode)))))
        (set-buffer "*scratch*")
        (countersign-set-mode "plan")
        (mode-is "plan")
        (countersign-trust)
        (editor-asked "Trust")
        ;; Closing it, and its default, are a no.
        (editor-go)
        (editor-press "q")
        (editor-idle)
        (set-buffer "*scratch*")
        (countersign-trust)
        (editor-asked "Trust")
        (editor-go)
        (editor-press "RET")
        (editor-idle)
        (set-buffer "*scratch*")
        (countersign-trust)
        (editor-asked "Trust")
        (editor-go)
        (should-error (editor-press "2") :type 'user-error)
        (editor-reads)
        (editor-press "2")
        (editor-idle)
        (editor-status "a trusted workspace"
                       (lambda (status)
                         (eq t (plist-get (aref (plist-get status :workspaces) 0)
                                          :trusted))))
        ;; Who trusts a folder is told of auto mode; a no leaves it off.
        (editor-asked "In auto mode calls are decided without asking")
        (set-buffer "*scratch*")
        (setq first (car (countersign-prompt-open)))
        (countersign-set-mode "auto")
        (support-until "the same question instead"
                       (lambda ()
                         (let ((open (countersign-prompt-open)))
                           (and (null (cdr open)) (not (eq (car open) first))))))
        (editor-go)
        (editor-press "RET")
        (editor-idle)
        (set-buffer "*scratch*")
        (countersign-set-mode "auto")
        (editor-asked "In auto mode calls are decided without asking")
        (editor-reads)
        (editor-press "2")
        (mode-is "auto")
        (should (string-prefix-p " CS:auto" (editor-mode-line)))))))

(ert-deftest server-has-a-document-of-each-session-that-follows ()
  (editor-with-place place
    (let ((hook (support-command place "touch made-by-the-agent")))
      (editor-asked)
      (editor-status "a session"
                     (lambda (status)
                       (not (seq-empty-p (plist-get status :sessions)))))
      (set-buffer "*scratch*")
      (countersign-session)
      (cl-flet ((document-has (part)
                  (support-until
                   part
                   (lambda ()
                     (and (get-buffer "*Countersign session*")
                          (with-current-buffer "*Countersign session*"
                            (string-search part (buffer-string)))))
                   (lambda ()
                     (and (get-buffer "*Countersign session*")
                          (with-current-buffer "*Countersign session*"
                            (buffer-string)))))))
        (document-has "touch made-by-the-agent")
        (editor-go)
        (editor-press "d")
        (support-blocks hook)
        (document-has "denied")))
    (kill-buffer "*Countersign session*")))

(ert-deftest server-gets-no-answer-to-what-is-not-known ()
  (should-error (countersign-client--asked nil 'countersign/approve nil)
                :type 'jsonrpc-error))

;;; server-tests.el ends here
