;;; editor.el --- The package in this Emacs, and somebody who uses it  -*- lexical-binding: t; -*-

;;; Code:

(require 'cl-lib)
(require 'ert)
(require 'countersign)
(require 'support)

(defvar editor-connection nil "The connection of the test that runs.")

(defmacro editor-with-place (place &rest body)
  "Run BODY with PLACE, its agent, and the package connected to its server."
  (declare (indent 1) (debug (symbolp body)))
  `(editor--run (lambda (,place) ,@body)))

(defun editor--run (body)
  "Call BODY with a place that the package is connected to."
  (let* ((place (support-make-place))
         (countersign-program support-countersign)
         (countersign-arguments (list "--home" (support-place-home place)))
         ;; Batch Emacs has none: what is checked is where the focus would be.
         (inhibit-message t)
         editor-connection)
    (unwind-protect
        (save-window-excursion
          (switch-to-buffer "*scratch*")
          (countersign-mode)
          (editor-connect place)
          (funcall body place))
      (countersign-mode -1)
      (when (get-buffer "*Countersign*") (kill-buffer "*Countersign*"))
      (support-leave place))))

(defun editor-connect (place)
  "Start the server of PLACE and wait until hooks find it."
  (setq editor-connection
        (countersign-client-start (support-place-workspace place)))
  (editor-served place))

(defun editor-served (place)
  "Wait until the server of PLACE knows that it may ask."
  (support-until "a server that serves"
                 (lambda ()
                   (and (countersign-client-status editor-connection)
                        (support-serves-p place)))
                 (lambda ()
                   (list (countersign-client-status editor-connection)
                         (jsonrpc-running-p editor-connection)
                         (with-current-buffer
                             (jsonrpc-stderr-buffer editor-connection)
                           (buffer-string))))))

(defun editor-asked (&optional part)
  "Wait until the person is asked, about PART; the text."
  (support-until (format "a question with %s" part)
                 (lambda ()
                   (and (get-buffer "*Countersign*")
                        (let ((text (editor-text)))
                          (and (string-search (or part "") text) text))))
                 (lambda () (and (get-buffer "*Countersign*") (editor-text)))))

(defun editor-text ()
  "What the question says, without properties."
  (with-current-buffer "*Countersign*"
    (buffer-substring-no-properties (point-min) (point-max))))

(defun editor-idle ()
  "Wait until nothing is asked."
  (support-until "no question"
                 (lambda () (not (get-buffer "*Countersign*")))
                 #'editor-text))

(defun editor-go ()
  "Go to the question, as somebody who wants to answer."
  (countersign-pending)
  (set-buffer (window-buffer (selected-window)))
  (run-hooks 'post-command-hook))

(defun editor-reads ()
  "Go to the question and read it."
  (editor-go)
  (let ((end (+ (float-time) 0.7)))
    (while (< (float-time) end) (accept-process-output nil 0.02))))

(defun editor-press (keys)
  "Press KEYS in the selected window."
  (set-buffer (window-buffer (selected-window)))
  (let* ((unread-command-events (listify-key-sequence (kbd keys)))
         (sequence (read-key-sequence-vector nil))
         (this-command (key-binding sequence))
         (real-this-command this-command))
    (run-hooks 'pre-command-hook)
    (call-interactively this-command)
    (set-buffer (window-buffer (selected-window)))
    (run-hooks 'post-command-hook)))

(defun editor-status (what test)
  "Wait until TEST says yes to the status; WHAT that is."
  (support-until what
                 (lambda ()
                   (let ((status (countersign-client-status editor-connection)))
                     (and status (funcall test status))))
                 (lambda () (countersign-client-status editor-connection))))

(defun editor-mode-line ()
  "What the mode line says, without properties."
  (substring-no-properties (countersign--lighter editor-connection)))

(provide 'editor)
;;; editor.el ends here
